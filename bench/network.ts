/** The model that comes in the box: everybody but the seed runs it. */
export const model = 'efficientnet-lite0'
