import { render } from 'preact'
import { openGallery } from './data/gallery'
import { App } from './ui/app'
import './ui/style/index.css'

render(<App gallery={openGallery({} as never)} />, document.body)
