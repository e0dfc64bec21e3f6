/** Stop an installer that would rewrite yarn.lock; only Yarn 4 and newer keep its format. */
const agent = process.env.npm_config_user_agent ?? '';

if (!/^yarn\/(?![0-3]\.)/.test(agent)) {
  console.error(
    '\nInstall nothing by hand: npm run dev does it. To add a package: npm run add-page PACKAGE\n',
  );
  process.exitCode = 1;
}
