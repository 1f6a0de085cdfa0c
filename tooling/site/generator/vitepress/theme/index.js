// VitePress's own theme, without its fonts: a page takes the system's.
import theme from 'vitepress/theme-without-fonts'
import './theme.css'

export default theme
