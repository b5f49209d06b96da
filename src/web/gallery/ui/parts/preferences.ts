import { signal } from '@preact/signals'

const name = 'whisklens.single-keys'

function stored(): boolean {
  try {
    return localStorage.getItem(name) !== 'off'
  } catch {
    return true
  }
}

/** Whether single-key shortcuts such as `/` are enabled: speech input may trigger them (WCAG 2.1.4). */
export const singleKeys = signal(stored())

export function setSingleKeys(isOn: boolean): void {
  singleKeys.value = isOn
  try {
    localStorage.setItem(name, isOn ? 'on' : 'off')
  } catch {
    // Storage may be blocked; the setting then lasts until the page is closed.
  }
}
