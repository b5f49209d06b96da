import { batches } from './style/batches'
import { images } from './style/images'
import { overview } from './style/overview'
import { screens } from './style/screens'
import { theme } from './style/theme'

/** The page's style sheet; what comes later overrides what comes before. */
export const style = theme + batches + overview + images + screens
