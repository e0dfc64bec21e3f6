import { css, Global } from '@emotion/react';
import { useState } from 'react';
import styled from 'styled-components';

const Styled = styled.p`
  color: rgb(1, 2, 3);
`;
const global = css`
  #by-emotion {
    color: rgb(4, 5, 6);
  }
`;

const byHand = document.head.appendChild(document.createElement('style'));
byHand.textContent = '#by-hand { color: rgb(7, 8, 9); }';
const byRule = document.head.appendChild(document.createElement('style'));
byRule.sheet?.insertRule('#by-rule { color: rgb(10, 11, 12); }');

let evaluated = 'ran';
try {
  // biome-ignore lint/security/noGlobalEval: the page asks whether it may
  window.eval('1');
} catch {
  evaluated = 'blocked';
}

/** Show what a policy of headers allows. */
export default function App() {
  const [preview, setPreview] = useState();
  const [place, setPlace] = useState();
  const [signedIn, setSignedIn] = useState();

  const locate = () =>
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => setPlace(`${coords.latitude} ${coords.longitude}`),
      (error) => setPlace(error.message),
    );
  const signIn = () => {
    window.addEventListener('message', ({ data, origin }) => {
      if (origin === window.location.origin && data.user)
        setSignedIn(data.user);
    });
    const back = `${window.location.origin}/signed-in`;
    window.open(`https://sign-in.example/?back=${back}`, 'sign-in', 'popup');
  };
  if (window.opener && window.location.pathname === '/signed-in') {
    window.opener.postMessage({ user: 'Jo' }, window.location.origin);
  }

  return (
    <main>
      <Global styles={global} />
      <Styled id="by-styled-components">styled-components</Styled>
      <p id="by-emotion">Emotion</p>
      <p id="by-hand">A style element</p>
      <p id="by-rule">A rule</p>
      <p id="of-font-service">A font</p>
      <p id="eval">{evaluated}</p>
      <input
        type="file"
        onChange={({ target }) =>
          setPreview(URL.createObjectURL(target.files[0]))
        }
      />
      {preview && <img src={preview} alt="preview" />}
      <button type="button" onClick={locate}>
        Locate
      </button>
      <p id="place">{place}</p>
      <button type="button" onClick={signIn}>
        Sign in
      </button>
      <p id="user">{signedIn}</p>
    </main>
  );
}
