/** The models of MAX that ours stand for, by their names, which are those of their images: the model each has. */
export const maxModels: ReadonlyMap<string, string> = new Map([
  ['max-image-classifier', 'efficientnet-lite0'],
  ['max-object-detector', 'coco-ssd'],
  ['max-facial-emotion-classifier', 'faces'],
  ['max-facial-age-estimator', 'faces'],
])
