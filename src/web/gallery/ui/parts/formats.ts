const notShown = ['heic', 'tiff']

/** Whether most browsers cannot display a format; without a thumbnail, loading it would be pointless. */
export const isNotShown = (format: string | null): format is string =>
  format !== null && notShown.includes(format)
