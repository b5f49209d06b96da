const notShown = ['heic', 'tiff']

/** Whether browsers, but for Safari, cannot show a format: without a thumbnail it would be downloaded for nothing. */
export const isNotShown = (format: string | null): format is string =>
  format !== null && notShown.includes(format)
