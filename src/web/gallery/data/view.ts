import { computed, type ReadonlySignal, signal } from '@preact/signals-core'
import { parseAddress, printAddress, type View } from './address'
import { type Browser, type FilterControl, type How, noFilters } from './api'

/** State of the page, stored in the address to be shared and navigated. */
export interface ViewState {
  now: ReadonlySignal<View>
  set(changes: Partial<View>, how: How): void
  /** As {@link Browser.closeOverlay}. */
  closeOverlay(): boolean
  /** Incremented on back and forward. */
  returns: ReadonlySignal<number>
  close(): void
}

export function viewOf(browser: Browser): ViewState {
  const now = signal(parseAddress(browser.address()))
  const returns = signal(0)
  const close = browser.onAddress(() => {
    now.value = parseAddress(browser.address())
    returns.value++
  })
  return {
    now,
    returns,
    close,
    closeOverlay: browser.closeOverlay,
    set: (changes, how) => {
      now.value = { ...now.peek(), ...changes }
      const address = printAddress(browser.address(), now.peek())
      if (address !== browser.address()) browser.setAddress(address, how)
    },
  }
}

export function filterControl({ now, set }: ViewState): FilterControl {
  const filters = computed(() => now.value.filters)
  const change: FilterControl['set'] = (changes, how = 'push') =>
    set({ filters: { ...filters.peek(), ...changes } }, how)
  return {
    now: filters,
    isActive: computed(() => isFiltered(filters.value)),
    set: change,
    toggleLabel: (name) => {
      const { labels } = filters.peek()
      change({ labels: labels.includes(name) ? labels.filter((label) => label !== name) : [...labels, name] })
    },
    clear: () => change({ ...noFilters, sort: filters.peek().sort }),
  }
}

function isFiltered({ labels, confidence, sort: _, ...texts }: View['filters']): boolean {
  const [min, max] = confidence
  return labels.length > 0 || min > 0 || max < 1 || Object.values(texts).some(Boolean)
}
