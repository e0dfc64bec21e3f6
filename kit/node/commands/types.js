import fs from 'node:fs';
import path from 'node:path';
import { apiCommand, apiEnv, prepareApi } from '../lib/api.js';
import { refuseArguments } from '../lib/arguments.js';
import { run } from '../lib/processes.js';
import { ROOT } from '../lib/project.js';

const CONFIG = 'jsconfig.json';
/**
 * What lets an editor, and tsc, check a page in JavaScript, as the style of the project has it:
 * without its tests, and without packages that have no types.
 */
export const CHECKED_JAVASCRIPT = `{
  "compilerOptions": {
    "checkJs": true,
    "jsx": "react-jsx",
    "maxNodeModuleJsDepth": 0,
    "module": "esnext",
    "moduleResolution": "bundler",
    "strict": false,
    "target": "esnext",
    "types": ["vite/client", "react-flask-kit/client"]
  },
  "include": ["src"],
  "exclude": ["src/**/*.test.*", "src/**/*.spec.*", "src/setupTests.*"]
}
`;

/**
 * Write the types of the API's routes for the frontend; in a project without a configuration
 * for the editor, that too.
 *
 * @param {...string} args refused
 * @returns {Promise<number>} the exit code
 */
export async function types(...args) {
  refuseArguments('kit -- types', args);
  await prepareApi();
  const code = await run(apiCommand(['react_flask_kit.describing', 'types']), {
    env: apiEnv(),
  });
  if (code === 0 && !hasConfig()) {
    fs.writeFileSync(path.join(ROOT, CONFIG), CHECKED_JAVASCRIPT);
    console.log(
      `${CONFIG} is written: with it the editor checks the JavaScript in src/. ` +
        'With "checkJs": false it only completes.',
    );
  }
  return code;
}

function hasConfig() {
  return ['tsconfig.json', CONFIG].some((name) =>
    fs.existsSync(path.join(ROOT, name)),
  );
}
