/** A module of the page. */
export const SOURCE = /\/src\/[^?]*\.(mjs|[jt]sx?)(\?|$)/;
export const CODE = /\.[cm]?[jt]sx?$/;
export const STYLE = /\.(css|s[ac]ss|less|styl)$/;
export const PACKAGES = /\/node_modules\//;
/**
 * What is neither code, style nor data: its import is its address.
 *
 * Of react-scripts, the last rule of its webpack.config.js; Less and Stylus are Vite's to compile.
 */
export const FILE =
  /\/src\/(?:[^?]*\/)?(?:[^/?]*\.(?!(?:mjs|[jt]sx?|html|json|css|s[ac]ss|less|styl)$)[^./?]+|[^./?]+)$/;
/** A file of a package that no other rule of Vite's knows. */
export const FILE_OF_PACKAGE =
  /\/node_modules\/[^?]*\.(?:wasm|md|csv|tsv|xml|ya?ml|txt|glb|gltf|bin|data|onnx)$/;
/** The endings that an import may leave out, in the order of react-scripts. */
export const ENDINGS = ['mjs', 'js', 'ts', 'tsx', 'json', 'jsx'].flatMap(
  (ending) =>
    ending === 'json' ? ['.json'] : [`.web.${ending}`, `.${ending}`],
);
