import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'

/** Measurements of calibrate.py per tensor of a float32 network, by name. */
const calibrationSchema = z.record(
  z.string(),
  z.strictObject({
    /** Minimum and maximum. */
    range: z.tuple([z.number(), z.number()]),
    /** Per channel, over images and positions. */
    mean: z.array(z.number()).min(1),
  }),
)
export type Calibration = z.infer<typeof calibrationSchema>

/** @param id of the network */
export const readCalibration = (id: string): Calibration =>
  calibrationSchema.parse(JSON.parse(readFileSync(join(__dirname, `${id}.json`), 'utf8')))
