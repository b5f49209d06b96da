import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'

/** What calibrate.py measured of each tensor of a network in float32, by name. */
const calibrationSchema = z.record(
  z.string(),
  z.strictObject({
    /** The smallest and the largest value. */
    range: z.tuple([z.number(), z.number()]),
    /** Of each channel, over images and positions. */
    mean: z.array(z.number()).min(1),
  }),
)
export type Calibration = z.infer<typeof calibrationSchema>

/** @param id of the network */
export const readCalibration = (id: string): Calibration =>
  calibrationSchema.parse(JSON.parse(readFileSync(join(__dirname, `${id}.json`), 'utf8')))
