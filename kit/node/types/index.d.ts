/**
 * What the routes of the Flask app take and answer, found by the path that is asked for.
 *
 * Nothing of this is in the page: it is for the editor, and for tsc.
 */

/**
 * The routes by their path as Flask writes it, such as '/notes/<int:id>', and by method.
 *
 * src/api-types.d.ts fills it; without that file nothing is known, and every answer is `any`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: see above.
export interface Routes {}

/** What is answered: `Answer<'GET', '/notes/5'>`; undefined where the answer is empty. */
export type Answer<Method extends string, Path extends string> = PartOf<
  Operation<Method, RouteOf<Method, Path>>,
  'answer'
>;

/** What is to be sent: `Body<'POST', '/notes'>`. */
export type Body<Method extends string, Path extends string> = PartOf<
  Operation<Method, RouteOf<Method, Path>>,
  'body'
>;

/** The path itself, if a route may answer it; otherwise, for the editor to offer, those like it. */
export type KnownPath<Method extends string, Path extends string> = [
  RouteOf<Method, Path>,
] extends [never]
  ? // Put together again, for an error to name the paths, and not PathsOf.
    Or<
      PathsLike<Path, `/${Relative<PathsOf<Method>>}`>,
      `no route answers ${Method}`
    >
  : Path;

/** The type of `send` in src/api.js. Where a route reads a body, it cannot be left out. */
export type Send = <Method extends AnyMethod, Path extends string>(
  method: Method,
  path: KnownPath<Method, Path>,
  ...rest: BodyAndOptions<Operation<Method, RouteOf<Method, Path>>>
) => Promise<Answer<Method, Path>>;

type KnownMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

// The editor offers those that are known; another one is no mistake.
type AnyMethod = KnownMethod | (string & {});

type BodyAndOptions<Of> = Of extends { body: infer Body }
  ? [body: Body, options?: Options]
  : [body?: PartOf<Of, 'body'>, options?: Options];

interface Options {
  signal?: AbortSignal;
}

type Operation<Method extends string, Route> = [Route] extends [never]
  ? Unchecked
  : Route extends keyof Routes
    ? Routes[Route][Uppercase<Method> & keyof Routes[Route]]
    : Unchecked;

interface Unchecked {
  answer: Anything;
  body?: Anything;
}

// biome-ignore lint/suspicious/noExplicitAny: nothing is known of it, and so nothing is an error.
type Anything = any;

type PartOf<Of, Name extends string> = Of extends Of
  ? Name extends keyof Of
    ? Of[Name]
    : Anything
  : never;

type PathsOf<Method extends string> = {
  [Path in keyof Routes]: Uppercase<Method> extends keyof Routes[Path]
    ? Path
    : never;
}[keyof Routes];

type PathsLike<Path, Known> = Path extends `/${infer A}${infer B}${string}`
  ? Or<Extract<Known, `/${A}${B}${string}`>, Known>
  : Known;

/**
 * The route that answers, as a key of `Routes`. Several, where it depends on a variable's value;
 * `Unknown`, where nobody can tell, as of a file or another server; never, where there is none.
 */
type RouteOf<Method extends string, Path extends string> = [
  keyof Routes,
] extends [never]
  ? Unknown
  : Uppercase<Method> extends keyof Trees
    ? Path extends `//${string}`
      ? Unknown
      : Path extends `/${infer Rest}`
        ? OrFile<
            Rest,
            Walk<Trees[Uppercase<Method> & keyof Trees], WithoutQuery<Rest>, ''>
          >
        : Path extends ''
          ? never
          : Unknown
    : Unknown;

type Unknown = '?';

type OrFile<Path extends string, Route> = [Route] extends [never]
  ? WithoutQuery<Path> extends `${string}.${string}`
    ? Unknown
    : never
  : Route;

type WithoutQuery<Path extends string> = BeforeSign<BeforeSign<Path, '#'>, '?'>;

type BeforeSign<
  Path extends string,
  Sign extends string,
> = Path extends `${infer Before}${Sign}${string}` ? Before : Path;

type Relative<Path> = Path extends `/${infer Rest}` ? Rest : never;

// As Werkzeug does, a path is followed segment by segment through a tree of the routes. A node
// is the union of what may follow: 'time' | 'notes' | 'notes/<int:id>'.
//
// 300 routes that are asked for once each are 0.2 million instantiations. They were 2 million
// with keyof Children<Node>, which the compiler, unlike Names<Node>, makes anew each time, and
// 0.5 with Relative<PathsOf<Method>> in place of a property of Trees.

type Trees = { [Method in KnownMethod]: Relative<PathsOf<Method>> };

type Walk<
  Node,
  Path extends string,
  Before extends string,
> = Path extends `${infer First}/${infer Rest}`
  ? Step<Node, First, Rest, Before>
  : Step<Node, Path, End, Before>;

type End = '<>';

type Step<
  Node,
  Segment extends string,
  Rest extends string,
  Before extends string,
> =
  Segment extends Names<Node>
    ? Or<
        Follow<Node, Segment, Rest, Before>,
        FollowVariable<Node, Segment, Rest, Before>
      >
    : FollowVariable<Node, Segment, Rest, Before>;

// A number is asked before a text, and that before a path, which goes on over slashes.
type FollowVariable<
  Node,
  Segment extends string,
  Rest extends string,
  Before extends string,
> = string extends Segment
  ? Or<
      Follow<Node, Variables<Node>, Rest, Before>,
      Rest extends End
        ? Unknown
        : [Follow<Node, Names<Node>, Rest, Before>] extends [never]
          ? never
          : Unknown
    >
  : Or<
      Follow<Node, Matching<Segment, Narrow<Node>>, Rest, Before>,
      Or<
        Follow<
          Node,
          Exclude<Variables<Node>, Narrow<Node> | AnyPath>,
          Rest,
          Before
        >,
        Or<
          Follow<Node, Extract<Variables<Node>, AnyPath>, Rest, Before>,
          IsLiteral<Segment> extends true
            ? never
            : [Matching<Segment, Variables<Node>>] extends [never]
              ? Unknown
              : never
        >
      >
    >;

type Follow<
  Node,
  Name,
  Rest extends string,
  Before extends string,
> = Name extends string
  ? Children<Node> extends { [key in Name]: infer Child }
    ? Name extends AnyPath
      ? Skip<Child, Rest, `${Before}/${Name}`>
      : Arrive<Child, Rest, `${Before}/${Name}`>
    : never
  : never;

// Flask redirects to the path with a slash at its end.
type Arrive<Node, Rest extends string, Path extends string> = Rest extends End
  ? End extends Node
    ? Path
    : '' extends Names<Node>
      ? `${Path}/`
      : never
  : Walk<Node, Rest, Path>;

type Skip<Node, Rest extends string, Path extends string> =
  | Arrive<Node, Rest, Path>
  | (Rest extends End
      ? never
      : Rest extends `${string}/${infer Deeper}`
        ? Skip<Node, Deeper, Path>
        : Arrive<Node, End, Path>);

type Children<Node> = {
  [Path in Node & string as Names<Path>]: Path extends `${string}/${infer Rest}`
    ? Rest
    : End;
};

type Names<Node> = Node extends `${infer First}/${string}` ? First : Node;

type Variables<Node> = Exclude<
  Extract<Names<Node>, `${string}<${string}>${string}`>,
  End
>;

type Numbers = `<int:${string}>` | `<float:${string}>`;

type AnyPath = `<path:${string}>`;

// All but '<name>' and '<path:name>', so 'page-<name>' too.
type Narrow<Node> =
  | Extract<Variables<Node>, Numbers>
  | Exclude<Variables<Node>, `<${string}>`>;

type Matching<Segment, Variable> = Variable extends Variable
  ? Segment extends Pattern<Variable>
    ? Variable
    : never
  : never;

type Pattern<Variable> = Variable extends Numbers
  ? `${number}`
  : Variable extends `${infer Before}<${string}>${infer After}`
    ? `${Before}${string}${Pattern<After>}`
    : Variable;

// biome-ignore lint/complexity/noBannedTypes: no property is required of it.
type IsLiteral<Text extends string> = {} extends Record<Text, 1> ? false : true;

type Or<First, Second> = [First] extends [never] ? Second : First;
