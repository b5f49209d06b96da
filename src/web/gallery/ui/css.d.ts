/** Bundled into gallery.css. */
declare module '*.css'
