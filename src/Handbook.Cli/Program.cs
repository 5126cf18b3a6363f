using Handbook.Cli;

return await CommandLine.RunAsync(args, Terminal.System()).ConfigureAwait(false);
