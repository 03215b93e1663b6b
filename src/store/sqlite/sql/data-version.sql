-- A number that is another one after another connection has committed. Parameters: none.
pragma data_version
