import { join } from 'node:path'
import { brokenLinks } from './links'
import { root } from './pages'

// The links of README.md and docs/ are tested with their examples.
it.each(['CONTRIBUTING.md', 'CHANGELOG.md'])('the links of %s lead somewhere', (name) => {
  expect(brokenLinks(join(root, name))).toEqual([])
})
