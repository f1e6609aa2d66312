/** Who may do what: the one table of it. Interfaces name a permission; whether a role has it is asked here. */
import { type Role, roles } from '../ledger/registry.ts'

export const permissions = {
  /** Who one is here; and in a browser, to go on without showing a key again. */
  own_session: roles,
  /** Accounts, transfers, holds, and what became of a request. */
  read: ['teller', 'operator', 'auditor', 'admin'],
  /** Everything that happens, as events. */
  follow: ['operator', 'auditor', 'admin'],
  open_accounts: ['teller', 'admin'],
  /** Deposits, withdrawals, transfers, holds, reversals. */
  move_money: ['teller', 'admin'],
  /** Reversals that leave an account below zero. */
  force: ['admin'],
  block_accounts: ['operator', 'admin'],
  set_limits: ['operator', 'admin'],
  adjust: ['operator', 'admin'],
  read_adjustments: ['operator', 'auditor', 'admin'],
  prove: ['operator', 'auditor', 'admin'],
  measure: ['operator', 'auditor', 'admin'],
  audit: ['auditor', 'admin'],
  read_webhooks: ['operator', 'auditor', 'admin'],
  redeliver: ['operator', 'admin'],
  manage_webhooks: ['admin'],
  read_credentials: ['auditor', 'admin'],
  manage_credentials: ['admin'],
  /** What a machine does for customers, and that it is there: each terminal for itself, and nobody in its place. */
  operate_terminal: ['terminal'],
  /** Terminals with their withdrawals, batches and exceptions; a terminal its own. */
  read_terminals: ['terminal', 'operator', 'auditor', 'admin'],
  /** What needs a person at any machine, and how all of them are doing. */
  oversee: ['operator', 'auditor', 'admin'],
  /** The one box for whatever is known of something; what is found is what the role may read. */
  search: ['teller', 'operator', 'auditor', 'admin'],
  create_terminals: ['admin'],
  /** In and out of service, exchanges and counts. */
  serve_terminals: ['operator', 'admin'],
  /** A terminal its own. */
  close_batches: ['terminal', 'operator', 'admin'],
  resolve_exceptions: ['operator', 'admin'],
  read_cards: ['teller', 'operator', 'auditor', 'admin'],
  issue_cards: ['teller', 'admin'],
  block_cards: ['teller', 'operator', 'admin'],
  /** Unblocking, giving tries back, and PINs. */
  unblock_cards: ['admin'],
} as const satisfies Record<string, readonly Role[]>

export type Permission = keyof typeof permissions

export function mayRole(role: Role, permission: Permission): boolean {
  return (permissions[permission] as readonly Role[]).includes(role)
}

export function permissionsOf(role: Role): Permission[] {
  return (Object.keys(permissions) as Permission[]).filter((permission) => mayRole(role, permission))
}
