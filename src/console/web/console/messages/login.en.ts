export const words = {
  title: 'Sign in',
  key: 'API key',
  hint: 'Such as cp_…; an administrator makes them with “cashpoint credentials”.',
  enter: 'Sign in',
  wrong: 'No credential has this key, or it was revoked.',
  idle: 'You were signed out, since nobody had touched the console for 15 minutes.',
  ended: 'Your session has ended. Sign in again and you are back where you were.',
}

export type Words = typeof words
