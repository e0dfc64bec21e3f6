const decorate = (type) => {
  type.isDecorated = true;
};
const upper = (_target, _name, descriptor) => ({
  ...descriptor,
  value: () => 'DECORATED',
});

@decorate
export default class Decorated {
  static kind = 'class';

  @upper
  name() {
    return 'plain';
  }
}
