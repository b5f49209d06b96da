/** Zips carry a fixed date: fflate would write today's. */
export const zipDate = new Date('2026-01-01T00:00:00')
