/** Fixed date of zip entries, for reproducible zips; fflate would write the current time. */
export const zipDate = new Date('2026-01-01T00:00:00')
