import type { BatchReport } from './batch'
import type { BurstReport } from './burst'
import type { Measured } from './runner'
import { megabytes, table, thousands, time } from './table'

const actions = ['start-batch', 'classify', 'aggregate']

const activationsOf = ({ activations }: Pick<BatchReport, 'activations'>): string[] =>
  actions.map((name) => thousands(activations[name] ?? 0))

const storeCalls = ['GET image', 'GET', 'PUT', 'HEAD', 'LIST', 'POST', 'DELETE']

const storeRequests = ({ requests }: Pick<BatchReport, 'requests'>): number =>
  storeCalls.reduce((sum, call) => sum + (requests[call] ?? 0), 0)

/** Images per second, from the fire until all chunks had reported. */
const rateOf = ({ images, reported }: Pick<BatchReport, 'images' | 'reported'>): number =>
  (images * 1000) / reported

/** The same work per container on increasing numbers of containers; times in seconds. @param linear maximum images per second of a container */
export const containersTable = (found: BatchReport[], linear: number): string =>
  table([
    [
      'containers',
      'images',
      'planned',
      'reported',
      'closed',
      'images a second',
      'share of linear',
      'invocations',
    ],
    ...found.map((report) => [
      thousands(report.containers),
      thousands(report.images),
      ...[report.planned, report.reported, report.duration].map((ms) => (ms / 1000).toFixed(1)),
      rateOf(report).toFixed(1),
      `${((100 * rateOf(report)) / (linear * report.containers)).toFixed(0)} %`,
      thousands(report.requests.invoke ?? 0),
    ]),
  ])

/** Batches of several sizes. */
export const growthTable = (found: Measured<BatchReport>[]): string =>
  table([
    ['images', 'time', ...actions, 'refused', 'requests an image', 'peak memory', 'CPU time'],
    ...found.map((report) => [
      thousands(report.images),
      time(report.duration),
      ...activationsOf(report),
      thousands(report.refused),
      (storeRequests(report) / report.images).toFixed(3),
      megabytes(report.peak),
      time(report.seconds * 1000),
    ]),
  ])

/** Batches from lists. */
export const listsTable = (found: Measured<BatchReport>[]): string =>
  table([
    [
      'images',
      'lines',
      'all planned after',
      'time',
      'start-batch',
      'requests an image',
      'peak memory',
      'CPU time',
    ],
    ...found.map((report) => [
      thousands(report.images),
      thousands(Math.ceil(report.images * 1.1)),
      time(report.planned),
      time(report.duration),
      thousands(report.activations['start-batch'] ?? 0),
      (storeRequests(report) / report.images).toFixed(3),
      megabytes(report.peak),
      time(report.seconds * 1000),
    ]),
  ])

/** Bursts of uploads. */
export const burstTable = (found: Measured<BurstReport>[]): string =>
  table([
    [
      'uploads',
      'refused notifications',
      'all classified after',
      'bucket-events',
      ...actions,
      'requests an image',
    ],
    ...found.map((report) => [
      thousands(report.images),
      thousands(report.lost),
      time(report.duration),
      thousands(report.activations['bucket-events'] ?? 0),
      ...activationsOf(report),
      (storeRequests(report) / report.images).toFixed(1),
    ]),
  ])
