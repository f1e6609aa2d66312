/** What goes over the wire, by the schemas that the routes themselves are checked against. */
import type { Static, TSchema } from 'typebox'
import type * as schemas from '../rest/v1/schemas.ts'

type Of<Name extends keyof typeof schemas> = (typeof schemas)[Name] extends TSchema
  ? Static<(typeof schemas)[Name]>
  : never

export type OpenAccount = Of<'openAccount'>
export type SetState = Of<'setState'>
export type Limits = Of<'limits'>
export type Deposit = Of<'deposit'>
export type Withdrawal = Of<'withdrawal'>
export type TransferBetween = Of<'transfer'>
export type Reversal = Of<'reversal'>
export type PlaceHold = Of<'hold'>
export type Capture = Of<'capture'>

type Keyed<Type extends string, Body = unknown> = { readonly type: Type; readonly key?: string } & Body

export type Batch = {
  readonly atomic?: boolean
  readonly dry_run?: boolean
  readonly operations: readonly (
    | Keyed<'deposit', Deposit>
    | Keyed<'withdrawal', Withdrawal>
    | Keyed<'transfer', TransferBetween>
    | Keyed<'hold', PlaceHold>
    | Keyed<'capture', { readonly hold: string } & Capture>
    | Keyed<'void', { readonly hold: string }>
    | Keyed<'reversal', { readonly transfer: string } & Reversal>
  )[]
}

export type Account = Of<'accountReply'>
export type Accounts = Of<'accountsReply'>
export type Balance = Of<'balanceReply'>
export type LimitsUsed = Of<'limitsReply'>
export type Transfer = Of<'transferReply'>
export type Transfers = Of<'transfersReply'>
export type Hold = Of<'holdReply'>
export type Holds = Of<'holdsReply'>
export type Entries = Of<'entriesReply'>
export type Statement = Of<'statementReply'>
export type BatchResults = Of<'batchReply'>
export type Operation = Of<'operationReply'>
export type ProofRequested = Of<'proofRequested'>
export type Verification = Of<'verificationReply'>
export type Block = Of<'blockReply'>
export type Blocks = Of<'blocksReply'>
export type Heads = Of<'headsReply'>
export type Problem = Of<'problem'>
export type Events = Of<'eventsReply'>
export type CashpointEvent = Of<'eventReply'>

export type Adjust = Of<'adjust'>
export type Adjustment = Of<'adjustmentReply'>
export type Adjustments = Of<'adjustmentsReply'>
export type CreateCredential = Of<'createCredential'>
export type Credential = Of<'credentialReply'>
export type CredentialMade = Of<'credentialMade'>
export type Credentials = Of<'credentialsReply'>
export type OpenSession = Of<'openSession'>
export type Session = Of<'sessionReply'>
export type CreateWebhook = Of<'createWebhook'>
export type Webhook = Of<'webhookReply'>
export type WebhookMade = Of<'webhookMade'>
export type Webhooks = Of<'webhooksReply'>
export type Deliveries = Of<'deliveriesReply'>
export type Audit = Of<'auditReply'>

export type CreateTerminal = Of<'createTerminal'>
export type SetTerminalState = Of<'setTerminalState'>
export type Terminal = Of<'terminalReply'>
export type Terminals = Of<'terminalsReply'>
export type Authorize = Of<'authorize'>
export type Confirm = Of<'confirm'>
export type ReverseWithdrawal = Of<'reverseWithdrawal'>
export type TerminalWithdrawal = Of<'withdrawalReply'>
export type TerminalWithdrawals = Of<'withdrawalsReply'>
/** What is left of a withdrawal or deposit that was reversed before it came. */
export type Tombstone = Of<'tombstoneReply'>
/** Where it was not asked for by its name. */
export type WithdrawalFound = Of<'withdrawalFound'>
export type WithdrawalsFound = Of<'withdrawalsFoundReply'>
export type WithdrawalHistory = Of<'historyReply'>
export type Search = Of<'searchReply'>
export type Inquire = Of<'inquire'>
export type Inquiry = Of<'inquiryReply'>
export type TerminalDeposit = Of<'terminalDeposit'>
export type NotesDeposited = Of<'depositReply'>
export type TerminalTransfer = Of<'terminalTransfer'>
export type TerminalTransferred = Of<'terminalTransferReply'>
export type ChangePin = Of<'changePin'>
export type ExchangeOpen = Of<'exchangeOpenReply'>
export type EndExchange = Of<'endExchange'>
export type Exchanged = Of<'exchangedReply'>
export type CountUnits = Of<'countUnits'>
export type Counted = Of<'countedReply'>
export type ClosedBatch = Of<'closedBatchReply'>
export type Batches = Of<'batchesReply'>
export type Exception = Of<'exceptionReply'>
export type Exceptions = Of<'exceptionsReply'>
export type ResolveException = Of<'resolveException'>
export type Attention = Of<'attention'>
export type Overview = Of<'overviewReply'>
export type OverviewHour = Of<'overviewHourReply'>
export type OverviewCash = Of<'overviewCashReply'>
export type IssueCard = Of<'issueCard'>
export type Card = Of<'cardReply'>
export type Cards = Of<'cardsReply'>
export type BlockCard = Of<'blockCard'>
export type SetPin = Of<'setPin'>

export type Query = Readonly<Record<string, string | number | undefined>>
export type Paging = { readonly limit?: number; readonly cursor?: string }
export type Period = { readonly from?: string; readonly to?: string }

/** What withdrawals are found by; `from` and `to` are when they were asked for. */
export type WithdrawalsSought = Period & {
  readonly terminal?: string
  readonly account?: string
  readonly last4?: string
  readonly stan?: string
  readonly rrn?: string
  readonly authorization_code?: string
  readonly amount?: number
  readonly currency?: string
  readonly state?: TerminalWithdrawal['state']
}
