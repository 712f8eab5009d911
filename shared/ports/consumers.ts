import type { SecretId, VersionId } from '../types.ts'

/** What the owner of a secret declares in its metadata (`restart`): who has to read it anew after a promotion. */
export interface Consumer {
  /** `ecs`, `k8s`, `run`, `appservice`, `http`. */
  readonly kind: string
  /** As the kind spells it: `cluster/service`, a URL … Never secret: it is metadata. */
  readonly name: string
}

/** The news that a consumer is restarted for. */
export interface News {
  readonly secret: SecretId
  /** The version that is current now. */
  readonly version: VersionId
}

/** Those who read a secret at their start, and must start again to hold the new one. */
export interface Consumers {
  /**
   * Asks one consumer to start again, without an interruption where its platform can, and returns when the platform has
   * accepted that; not guaranteed: that every instance has started. A repeat restarts again, which harms nobody. Fails with
   * `not-found/principal`, `denied/provider` (naming the permission), `throttled/provider`, `unavailable/provider`,
   * `unsupported/restart` for a kind that this host cannot restart, `unsupported/provider` and `denied/provider-policy` for one
   * that its platform does not let be restarted, `invalid/answer`, `denied/address` for a URL that is not allowed.
   */
  restart(consumer: Consumer, news: News, signal: AbortSignal): Promise<void>
}
