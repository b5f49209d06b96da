import { signal } from '@preact/signals'
import { Modal } from './parts/modal'
import { setSingleKeys, singleKeys } from './parts/preferences'
import { text } from './strings'

export const isHelpOpen = signal(false)

const Keys = ({ title, keys }: { title: string; keys: readonly (readonly [string, string])[] }) => (
  <section>
    <h3>{title}</h3>
    <dl class="keys">
      {keys.map(([key, does]) => (
        <div key={key}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{does}</dd>
        </div>
      ))}
    </dl>
  </section>
)

/** Keyboard help, with the switch for single-key shortcuts. */
export function Help() {
  if (!isHelpOpen.value) return null
  const close = () => {
    isHelpOpen.value = false
  }
  return (
    <Modal title={text.help.title} class="help" close={close}>
      <div class="help-keys">
        <Keys title={text.help.inGrid} keys={text.help.keys.grid} />
        <Keys title={text.help.inViewer} keys={text.help.keys.viewer} />
      </div>
      <label class="choice">
        <input
          type="checkbox"
          checked={singleKeys.value}
          onChange={(event) => setSingleKeys(event.currentTarget.checked)}
        />
        {text.help.singleKeys}
      </label>
      <p class="small muted">{text.help.singleKeysHint}</p>
    </Modal>
  )
}
