exports.name = 'Folder';
