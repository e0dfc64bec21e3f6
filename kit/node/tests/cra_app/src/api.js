export const getUser = async (id) => (await fetch(`/users/${id}`)).json();

export const describe = (user) => `user ${user.name}`;

export default function nameOfApi() {
  return 'the real api';
}
