import path from 'node:path';
import { ROOT, readPackage, writePackage } from './project.js';

/**
 * Read what package.json says of the starter that the project was made from.
 *
 * @returns {{ version?: string, kit?: string, repository?: string }} `version` is that of the
 *   release whose kit/ the project has, `kit` the id that git gives to that folder as it was
 *   released, `repository` where newer ones come from; none where nobody has written it yet
 */
export function readStarter() {
  return readPackage().starter ?? {};
}

/**
 * Write into package.json what there is to say of the starter.
 *
 * @param {{ version?: string, kit?: string, repository?: string }} changes what is not among
 *   them stays
 */
export function writeStarter(changes) {
  const all = readPackage();
  writePackage({ ...all, starter: { ...all.starter, ...changes } });
}

/**
 * Tell the version of a kit, which is the same for both halves.
 *
 * @param {string} [folder] where kit/ is
 * @returns {string} such as '0.2.0'
 */
export function kitVersion(folder = ROOT) {
  return readPackage(path.join(folder, 'kit', 'node')).version;
}
