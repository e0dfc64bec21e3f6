import { fireEvent, render, screen } from '@testing-library/react';
import Button from './Button';

test('tells how often it was pressed', () => {
  const onPress = jest.fn();
  render(<Button onPress={onPress} />);
  fireEvent.click(screen.getByRole('button'));
  expect(onPress).toHaveBeenCalledTimes(1);
  expect(onPress).toHaveBeenCalledWith(1 as number);
});
