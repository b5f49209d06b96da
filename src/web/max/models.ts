/** MAX models, named as their images, with the model that stands in for each. */
export const maxModels: ReadonlyMap<string, string> = new Map([
  ['max-image-classifier', 'efficientnet-lite0'],
  ['max-object-detector', 'coco-ssd'],
  ['max-facial-emotion-classifier', 'faces'],
  ['max-facial-age-estimator', 'faces'],
])
