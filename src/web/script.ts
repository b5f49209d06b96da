import { batches } from './script/batches'
import { cards } from './script/cards'
import { elements } from './script/elements'
import { gallery } from './script/gallery'
import { overview } from './script/overview'
import { show } from './script/show'
import { state } from './script/state'

/**
 * The page's script: one module, in pieces. It is text, for it runs in browsers and is sent as it stands here; the
 * browser test is what checks it. Nothing of the data is ever parsed as HTML: keys, labels and messages come from
 * uploads, are untrusted, and become text nodes and attributes.
 */
export const script = elements + cards + batches + overview + state + show + gallery
