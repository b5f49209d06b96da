/** The platform's data about the current activation. */
export interface Activation {
  id: string
  /** When the platform ends the activation, milliseconds since the epoch; far in the future outside a platform. */
  deadline: number
  namespace: string
  /** `/guest/whisklens/classify`. */
  actionName: string
  apiHost?: string
  /** Only with the annotation `provide-api-key`. */
  apiKey?: string
}

/** The current activation. Read it per run: a warm container serves many. */
export function currentActivation(env: NodeJS.ProcessEnv = process.env): Activation {
  return {
    id: env.__OW_ACTIVATION_ID ?? '00000000000000000000000000000000',
    deadline: Number(env.__OW_DEADLINE ?? Number.MAX_SAFE_INTEGER),
    namespace: env.__OW_NAMESPACE ?? '_',
    actionName: env.__OW_ACTION_NAME ?? '/_/whisklens/unknown',
    apiHost: env.__OW_API_HOST,
    apiKey: env.__OW_API_KEY,
  }
}

/** The full name of another action in the same package: `classify-images` → `/guest/whisklens/classify-images`. */
export const siblingAction = ({ actionName }: Activation, name: string): string =>
  [...actionName.split('/').slice(0, -1), name].join('/')
