/** JSON Web Tokens of an issuer whose keys are published (JWKS), as an alternative to API keys. */
import { hash } from 'node:crypto'
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { roles } from '../ledger/registry.ts'
import { type Bearer, IssuerError } from './bearer.ts'

export type TokenSettings = {
  readonly issuer: string
  readonly audience: string
  /** Where the issuer publishes its keys. */
  readonly jwks: string
  /** The claim that names one of our roles. */
  readonly roleClaim: string
}

// Keys of the issuer's alone: neither `none` nor an HMAC, for which anybody who has the public key could sign.
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const clockToleranceS = 5
// A signature takes some 50 µs to check; a token that was found right is taken for so long without.
const keptMs = 60_000
const keptMax = 10_000

export class Tokens {
  readonly #settings: TokenSettings
  readonly #keys: JWTVerifyGetKey
  readonly #kept = new Map<string, Bearer & { readonly keptUntilMs: number }>()

  constructor(settings: TokenSettings) {
    this.#settings = settings
    this.#keys = createRemoteJWKSet(new URL(settings.jwks), { timeoutDuration: 3_000 })
  }

  /** The bearer of a token that was found right a moment ago. */
  kept(token: string, nowMs: number): Bearer | undefined {
    const kept = this.#kept.get(hash('sha256', token, 'base64'))
    return kept !== undefined && nowMs < Math.min(kept.untilMs, kept.keptUntilMs) ? kept : undefined
  }

  /**
   * The bearer of a token, or undefined where the token is not right: signature, issuer, audience, times, role. Throws
   * an IssuerError where the issuer's keys cannot be had.
   */
  async read(token: string, nowMs: number): Promise<Bearer | undefined> {
    const { issuer, audience, roleClaim } = this.#settings
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer,
        audience,
        algorithms,
        clockTolerance: clockToleranceS,
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(nowMs),
      })
      const { sub: subject = '', exp = 0 } = payload
      const role = roles.find((each) => each === payload[roleClaim])
      if (role === undefined || subject === '') return undefined
      const bearer = { subject, role, untilMs: (exp + clockToleranceS) * 1000 }
      this.#keep(token, { ...bearer, keptUntilMs: nowMs + keptMs })
      return bearer
    } catch (error) {
      if (isOfToken(error)) return undefined
      throw new IssuerError('the keys of the issuer cannot be had', { cause: error })
    }
  }

  #keep(token: string, bearer: Bearer & { readonly keptUntilMs: number }): void {
    this.#kept.set(hash('sha256', token, 'base64'), bearer)
    if (this.#kept.size > keptMax) this.#kept.delete(this.#kept.keys().next().value ?? '')
  }
}

/** Whether it is the token that is wrong, rather than the issuer that cannot be asked. */
function isOfToken(error: unknown): boolean {
  return (
    error instanceof errors.JOSEError &&
    !(error instanceof errors.JWKSTimeout) &&
    !(error instanceof errors.JWKSInvalid) &&
    error.code !== 'ERR_JOSE_GENERIC'
  )
}
