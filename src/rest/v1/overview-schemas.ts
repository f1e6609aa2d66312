/** Shapes of what a console asks for at a glance. */
import Type from 'typebox'
import { exceptionType, terminalName } from './atm-schemas.ts'
import { balance, closed, count, currency, instant, limit, number, orNull } from './shapes.ts'

const seconds = Type.Integer({ minimum: 0, description: 'Seconds' })
export const attention = closed({
  kind: Type.Enum([
    'out_of_service',
    'silent',
    'no_cash_out',
    'unit_empty',
    'unit_low',
    'suspect',
    'out_of_balance',
    'exception',
  ]),
  terminal: terminalName,
  unit: Type.Optional(
    Type.String({ description: 'Of unit_empty: left out where all units that pay out are' }),
  ),
  withdrawal: Type.Optional(Type.String()),
  exception: Type.Optional(Type.String()),
  exception_type: Type.Optional(exceptionType),
  account: Type.Optional(number),
  last4: Type.Optional(Type.String()),
  amount: Type.Optional(limit),
  currency: Type.Optional(currency),
  since: Type.Optional(instant),
  age_s: Type.Optional(seconds),
  count: Type.Optional(
    Type.Integer({ minimum: 0, description: 'Notes that are left, or units that are empty' }),
  ),
  hours_left: Type.Optional(
    orNull(
      Type.Number({
        minimum: 0,
        description: 'As notes left it in the last seven days; null where that is not known',
      }),
    ),
  ),
  usual_s: Type.Optional(
    Type.Integer({ minimum: 0, description: 'The pause between payments that is usual at this hour' }),
  ),
})
export const overviewReply = closed({
  at: instant,
  terminals: closed({ in_service: count, total: count }),
  money: Type.Array(closed({ currency, cash: balance, uncertain: balance, unconfirmed: balance })),
  exceptions: Type.Integer({ minimum: 0, description: 'Open ones' }),
  attention: Type.Array(attention, { description: 'Worst first, 200 at the most' }),
  more: Type.Boolean(),
})
const latency = orNull(Type.Number({ description: 'Milliseconds; null where nothing was committed' }))
export const overviewHourReply = closed({
  step_s: Type.Integer(),
  points: Type.Array(closed({ at: instant, operations: count, p50_ms: latency, p99_ms: latency }), {
    description: 'Steps that are over, oldest first, 360 at the most',
  }),
})
export const overviewCashReply = closed({
  days: Type.Array(
    closed({
      day: Type.String({ format: 'date' }),
      cash: Type.Array(closed({ currency, amount: balance })),
    }),
    { description: 'Oldest first' },
  ),
})
