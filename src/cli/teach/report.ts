import type { HeldOut } from '../../models/teach/teach'
import { columns } from '../shared/columns'
import {
  next,
  note,
  type OutputOptions,
  percent,
  plural,
  print,
  printable,
  printJson,
} from '../shared/output'
import type { Photo, Unreadable } from './embed'

interface Taught {
  /** Name to use it by. */
  name: string
  /** Folder. */
  target: string
  /** Version of the base model. */
  base: string
  labels: string[]
  photos: Photo[]
  heldOut: HeldOut<Photo>
  unreadable: Unreadable[]
  /** Images without a label. */
  beside: string[]
}

/** With fewer held-out photos, the accuracy means little. */
const minHeldOut = 20

/** Maximum number of file names shown. */
const maxShown = 5

/** Prints the labels and the accuracy on the held-out photos. */
export async function reportTaught(taught: Taught, options: OutputOptions): Promise<void> {
  const { name, target, base, labels, photos, heldOut, unreadable, beside } = taught
  const images = labels.map((_, label) => photos.filter((photo) => photo.label === label).length)
  const tested = heldOut.examples.length
  const right = tested - heldOut.wrong.length
  const wrong = heldOut.wrong.map(({ file, label, seen }) => ({
    ...{ file, label: labels[label] ?? '', seen: labels[seen] ?? '' },
  }))
  if (options.json) {
    await printJson({
      ...{ model: name, folder: target, base },
      labels: labels.map((label, index) => ({ label, images: images[index] })),
      heldOut: { images: tested, right, accuracy: tested > 0 ? right / tested : null, wrong },
      ...{ unreadable, beside },
    })
  } else {
    const rows = labels.map((label, index) => [printable(label), String(images[index])])
    await print(columns([['label', 'photos'], ...rows]))
    if (tested > 0) await print(`Held out: ${right} of ${tested} right, ${percent(right / tested)}\n`)
    for (const { file, label, seen } of wrong)
      await print(`  ${printable(file)}: ${printable(label)}, classified as ${printable(seen)}\n`)
  }
  if (tested === 0) note('No photo was held out: the accuracy is unknown', options)
  else if (tested < minHeldOut)
    note(
      `Only ${plural(tested, 'photo was', 'photos were')} held out: too few for a reliable accuracy`,
      options,
    )
  if (beside.length > 0) {
    const some = beside.slice(0, maxShown).map(printable).join(', ')
    const more = beside.length > maxShown ? ', …' : ''
    note(`Skipped ${plural(beside.length, 'image')} beside the label folders: ${some}${more}`, options)
  }
  note(`Saved in ${target}`, options)
  next(`whisklens classify --model ${name} <photos>`, options)
}
