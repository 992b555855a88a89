// Not named like a file of tools, and so never loaded, whatever it does.

console.log('nobody reads this')
