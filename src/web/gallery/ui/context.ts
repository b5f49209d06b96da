import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Gallery } from '../data/gallery'

export const GalleryContext = createContext<Gallery | undefined>(undefined)

/** @throws Error outside the gallery's components */
export function useGallery(): Gallery {
  const gallery = useContext(GalleryContext)
  if (!gallery) throw new Error('useGallery() needs a GalleryContext')
  return gallery
}
