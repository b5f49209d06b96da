import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Gallery } from '../data/gallery'

export const GalleryContext = createContext<Gallery | undefined>(undefined)

/** @throws Error outside of the page's component */
export function useGallery(): Gallery {
  const gallery = useContext(GalleryContext)
  if (!gallery) throw new Error('There is no gallery around this component')
  return gallery
}
