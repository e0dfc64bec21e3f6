import { useState } from 'react';

interface Props {
  name: string;
}

enum Kind {
  Typed = 'typed',
}

export default function Typed({ name }: Props) {
  const [kind] = useState<Kind>(Kind.Typed);
  return (
    <p id="typescript">
      {name as string} is {kind}
    </p>
  );
}
