/** Which files may be images: told from the name, so that nothing is loaded for all the others. */

const IMAGE_NAME = /\.(png|jpe?g|gif|webp|avif|svg)$/i;

/** Whether the end of `name` is that of an image. */
export function hasImageName(name: string): boolean {
  return IMAGE_NAME.test(name);
}
