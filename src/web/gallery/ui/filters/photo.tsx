import { useGallery } from '../context'
import { day } from '../format'
import { text } from '../strings'
import { useTyped } from './use-typed'

const words = text.filters

/** Maximum number of suggestions. */
const maxCameras = 30

function Camera() {
  const { filters, result } = useGallery()
  const typed = useTyped(filters.now.value.camera, (camera) => filters.set({ camera }, 'replace'))
  return (
    <label>
      {words.camera}
      <input type="search" placeholder={words.cameraHint} spellcheck={false} list="cameras" {...typed} />
      <datalist id="cameras">
        {result.value.cameras.slice(0, maxCameras).map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </label>
  )
}

/** Filters by date and camera, if the photos have them. */
export function PhotoFilter() {
  const { filters, result } = useGallery()
  const { takenSince, takenUntil, camera } = filters.now.value
  const { taken, cameras } = result.value
  const isActive = takenSince !== '' || takenUntil !== '' || camera !== ''
  if (!taken && cameras.length === 0 && !isActive) return null
  const date = (name: 'takenSince' | 'takenUntil', value: string) => (
    <label>
      {words[name]}
      <input
        type="date"
        value={value.slice(0, 10)}
        min={taken?.first}
        max={taken?.last}
        onChange={(event) => filters.set({ [name]: event.currentTarget.value })}
      />
    </label>
  )
  return (
    <section class="filter photo" id="photo" aria-labelledby="photo-title">
      <h3 id="photo-title">{words.photo}</h3>
      {taken && <p class="small muted">{words.taken(day(taken.first), day(taken.last))}</p>}
      <div class="dates">
        {date('takenSince', takenSince)}
        {date('takenUntil', takenUntil)}
      </div>
      <Camera />
    </section>
  )
}
