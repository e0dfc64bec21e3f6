/**
 * Stop an installer that would rewrite yarn.lock: Yarn 1 to 3. npm leaves it alone (.npmrc).
 *
 * @returns {number} the exit code
 */
export function checkInstaller() {
  const agent = process.env.npm_config_user_agent ?? '';
  if (!/^yarn\/[0-3]\./.test(agent)) return 0;
  console.error(
    '\nThis Yarn would rewrite yarn.lock. Every command installs what it needs: npm run dev\n' +
      'To add a package: npm run add-frontend PACKAGE\n',
  );
  return 1;
}
