import { signal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { imageExtensions } from '../../../../image-formats'
import type { LocalMode, Upload } from '../../data/gallery'
import { Icon } from '../icons'
import { ProblemText } from '../parts/message'
import { ProgressBar } from '../parts/progress-bar'
import { text } from '../strings'
import { chosenFiles, isImage, type Named } from './dropped-files'

const words = text.local

/** Browsers have no content type for some of the extensions. */
const accepted = ['image/*', ...imageExtensions.map((extension) => `.${extension}`)].join()

/** Number of files in the last drop that are not images. */
const ignored = signal(0)

export function addFiles(local: LocalMode, files: Named[]): void {
  const images = files.filter(isImage)
  ignored.value = files.length - images.length
  if (images.length > 0) local.upload(images)
}

/** Button to choose files for upload. */
export function AddPhotos({ local, isPrimary = false }: { local: LocalMode; isPrimary?: boolean }) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept={accepted}
        aria-label={words.add}
        onChange={({ currentTarget }) => {
          if (currentTarget.files) addFiles(local, chosenFiles(currentTarget.files))
          currentTarget.value = ''
        }}
      />
      <button type="button" class={isPrimary ? 'primary' : 'button'} onClick={() => input.current?.click()}>
        <Icon name="upload" />
        <span>{words.add}</span>
      </button>
    </>
  )
}

/** Share of the bytes sent, 0–1. */
function shareOf(uploads: Upload[]): number {
  let [sent, all] = [0, 0]
  for (const upload of uploads) {
    all += upload.bytes
    sent += upload.state === 'done' ? upload.bytes : upload.sent
  }
  return all ? sent / all : 1
}

/** Progress of the uploads. */
export function Uploads({ local }: { local: LocalMode }) {
  const uploads = local.uploads.value
  const problem = local.problem.value
  if (uploads.length === 0 && ignored.value === 0 && !problem) return null
  const failed = uploads.filter(({ state }) => state === 'failed')
  const done = uploads.filter(({ state }) => state === 'done').length
  const isUnderway = done + failed.length < uploads.length
  const dismiss = () => {
    ignored.value = 0
    local.clearUploads()
  }
  return (
    <section class="uploads panel" aria-label={words.uploads}>
      {uploads.length > 0 && (
        <>
          <p role="status">
            {isUnderway ? words.uploading(done, uploads.length) : done > 0 && words.uploaded(done)}
          </p>
          {isUnderway && <ProgressBar label={words.uploads} share={shareOf(uploads)} />}
        </>
      )}
      {failed[0] && (
        <div class="bad" role="alert">
          <p>{words.failed(failed.length)}</p>
          {failed[0].problem && <ProblemText problem={failed[0].problem} />}
          <button type="button" class="button" onClick={() => local.retryUploads()}>
            {words.retryUploads}
          </button>
        </div>
      )}
      {ignored.value > 0 && <p>{words.ignored(ignored.value)}</p>}
      {problem && (
        <div class="bad" role="alert">
          <ProblemText problem={problem} />
        </div>
      )}
      {!isUnderway && (
        <button type="button" class="quiet" onClick={dismiss}>
          {words.dismiss}
        </button>
      )}
    </section>
  )
}
