import { render } from 'preact'
import { browser } from './data/browser'
import { openGallery } from './data/gallery'
import { App } from './ui/app'
import './ui/style/index.css'

render(<App gallery={openGallery(browser())} />, document.body)
