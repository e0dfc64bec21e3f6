/**
 * What the code of a page may use, as create-react-app has it: for the editor, and for tsc.
 *
 * The rest, such as the addresses of images, is in vite/client.
 */

// As @types/node has them, so that it may be there too.
declare namespace NodeJS {
  interface ProcessEnv {
    [name: string]: string | undefined;
  }
  interface Process {
    env: ProcessEnv;
  }
}

/** What the build knows of the environment: NODE_ENV, PUBLIC_URL and REACT_APP_*. */
declare var process: NodeJS.Process;

declare module '*.svg' {
  /** The image as a component, by vite-plugin-svgr. */
  export const ReactComponent: import('react').FunctionComponent<
    import('react').SVGProps<SVGSVGElement> & { title?: string }
  >;
}
