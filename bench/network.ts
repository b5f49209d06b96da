/** Default model, used by all contestants except the predecessor. */
export const model = 'efficientnet-lite0'
