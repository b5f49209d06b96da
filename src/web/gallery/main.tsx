import { render } from 'preact'
import './ui/style/theme.css'
import { Icon } from './ui/icons'

render(<Icon name="lens" />, document.body)
