exports.name = 'react-native-web';
