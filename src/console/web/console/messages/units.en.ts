export const words = {
  reserved: (count: string) => `${count} promised`,
  rejected: (count: string) => `${count} rejected`,
  types: {
    cash_out: 'Pays out',
    cash_in: 'Takes in',
    reject: 'Rejected notes',
    retract: 'Retracted notes',
  },
}

export type Words = typeof words
