import type { Exif } from '../../schema'
import { Directory } from './directory'

/** Tags, with the names of EXIF 3.0. */
const tags = {
  make: 0x010f,
  model: 0x0110,
  changed: 0x0132,
  exif: 0x8769,
  gps: 0x8825,
  original: 0x9003,
  digitised: 0x9004,
  changedOffset: 0x9010,
  originalOffset: 0x9011,
  digitisedOffset: 0x9012,
  latitudeRef: 1,
  latitude: 2,
  longitudeRef: 3,
  longitude: 4,
} as const

/**
 * Reads the metadata written by the camera. Never throws: damaged or implausible values are left out.
 * @param block EXIF block in TIFF layout, or a TIFF file
 * @param withPosition include the GPS position
 * @returns undefined if there is none
 */
export function readExif(block: Uint8Array | undefined, withPosition: boolean): Exif | undefined {
  const first = block && Directory.first(block)
  if (!first) return undefined
  const exif: Exif = {
    takenAt: takenAt(first),
    camera: cameraOf(first.text(tags.make), first.text(tags.model)),
    position: withPosition ? positionOf(first.directory(tags.gps)) : undefined,
  }
  const known = Object.entries(exif).filter(([, value]) => value !== undefined)
  return known.length > 0 ? Object.fromEntries(known) : undefined
}

/** Time taken; else the time of scanning or of the last change. */
function takenAt(first: Directory): string | undefined {
  const photo = first.directory(tags.exif)
  const offset = (tag: number): string => photo?.text(tag)?.match(/^[+-](0\d|1[0-4]):[0-5]\d$/)?.[0] ?? ''
  const ways: [Directory | undefined, time: number, offset: number][] = [
    [photo, tags.original, tags.originalOffset],
    [photo, tags.digitised, tags.digitisedOffset],
    [first, tags.changed, tags.changedOffset],
  ]
  for (const [directory, time, zone] of ways) {
    const local = localTimeOf(directory?.text(time))
    if (local) return local + offset(zone)
  }
  return undefined
}

/** Converts `2026:05:01 10:11:12` to ISO 8601. Cameras whose clock was never set write zeros or blanks. */
function localTimeOf(text = ''): string | undefined {
  const [, date, time] = /^(\d{4}[:/-]\d\d[:/-]\d\d)[ T](\d\d:\d\d:\d\d)/.exec(text) ?? []
  const iso = `${date?.replace(/[:/]/g, '-')}T${time}`
  const at = new Date(`${iso}Z`)
  // Rejects dates such as 30 February, which Date would move to March.
  return Number.isNaN(at.getTime()) || at.toISOString().slice(0, 19) !== iso ? undefined : iso
}

/** Joins make and model; many models begin with the maker's name. */
function cameraOf(make: string | undefined, model: string | undefined): string | undefined {
  const [brand] = make?.toLowerCase().split(' ') ?? []
  const isNamed = brand !== undefined && model?.toLowerCase().startsWith(brand)
  return isNamed ? model : [make, model].filter(Boolean).join(' ') || undefined
}

function positionOf(gps: Directory | undefined): Exif['position'] {
  const latitude = degreesOf(gps, tags.latitude, tags.latitudeRef, 'NS', 90)
  const longitude = degreesOf(gps, tags.longitude, tags.longitudeRef, 'EW', 180)
  return latitude === undefined || longitude === undefined ? undefined : { latitude, longitude }
}

/** @param signs reference letters: positive direction, then negative */
function degreesOf(gps: Directory | undefined, tag: number, refTag: number, signs: string, most: number) {
  const [degrees = Number.NaN, minutes = 0, seconds = 0] = gps?.rationals(tag, 3) ?? []
  const sign = signs.indexOf(gps?.text(refTag)?.[0]?.toUpperCase() ?? '?')
  const value = degrees + minutes / 60 + seconds / 3600
  if (sign < 0 || !(value <= most)) return undefined
  // Six decimals are a tenth of a metre.
  return Number((sign === 0 ? value : -value).toFixed(6)) + 0
}
