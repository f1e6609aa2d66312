/** The parts that the navigation leads to, each with what one must be allowed to see there. */

export const sections = [
  { name: 'overview', href: '/console', needs: 'oversee' },
  { name: 'terminals', href: '/console/terminals', needs: 'read_terminals' },
  { name: 'exceptions', href: '/console/exceptions', needs: 'read_terminals' },
  { name: 'accounts', href: '/console/accounts', needs: 'read' },
  { name: 'cards', href: '/console/cards', needs: 'read_cards' },
  { name: 'journal', href: '/console/journal', needs: 'prove' },
  { name: 'live', href: '/console/live', needs: 'follow' },
] as const

export type Section = (typeof sections)[number]['name']
