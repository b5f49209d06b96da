import { ConfidenceFilter } from './confidence'
import { ErrorFilter } from './errors'
import { LabelFilter } from './labels'
import { PhotoFilter } from './photo'
import { StatusFilter } from './status'

/** All filters except the search. */
export const Filters = () => (
  <div class="filters">
    <StatusFilter />
    <LabelFilter />
    <ErrorFilter />
    <ConfidenceFilter />
    <PhotoFilter />
  </div>
)
