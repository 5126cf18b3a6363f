using System.Globalization;
using System.Text.Json.Nodes;
using Handbook.Sampling.Endpoints;
using Handbook.Training.Progress;

namespace Handbook.Sampling;

/// <summary>Does a piece of work block by block of prompts, keeps what was done, and tells how it goes.</summary>
/// <param name="title">What the work is called: <c>sampling</c>.</param>
/// <param name="unit">What a part of it is called: <c>completions</c>.</param>
/// <param name="journal">What was done.</param>
/// <param name="blockSize">Prompts of a block.</param>
/// <param name="progress">Who watches.</param>
/// <param name="clock">Times it.</param>
internal sealed class PromptBlocks(
    string title, string unit, Journal journal, int blockSize, ITrainingProgress progress, TimeProvider clock)
{
    private const int Notes = 10;
    private const int Patience = 32;

    /// <summary>Does what is left; nothing is opened when nothing is.</summary>
    /// <param name="prompts">All prompts.</param>
    /// <param name="partsPerPrompt">How often <c>finished</c> is called for a prompt.</param>
    /// <param name="open">Opens what does the work.</param>
    /// <param name="work">Does a block: who does it, its prompts with the number of the first, <c>finished</c>.</param>
    /// <param name="stop">Ends it early; whole blocks are kept.</param>
    public async Task RunAsync<T>(
        IReadOnlyList<PromptRow> prompts, int partsPerPrompt, Func<T> open,
        Func<T, IReadOnlyList<PromptRow>, Action, Task<IReadOnlyList<JsonObject>>> work, CancellationToken stop)
        where T : IDisposable
    {
        var before = journal.Rows.Count;
        if (before == prompts.Count)
            return;
        if (before > 0)
            progress.Note(FormattableString.Invariant(
                $"{title}: {before} of {Quantity.Of(prompts.Count, "prompt was", "prompts were")} done before"));
        using var worker = open();
        var pace = new Pace(title, unit, before * partsPerPrompt, prompts.Count * partsPerPrompt, progress, clock);
        var noted = before * Notes / prompts.Count;
        while (journal.Rows.Count < prompts.Count)
        {
            var block = prompts.Skip(journal.Rows.Count).Take(blockSize).ToList();
            var rows = await UnlessStopped(() => work(worker, block, pace.Finished), prompts.Count, stop).ConfigureAwait(false);
            GiveUpWhereNothingWorks(rows, prompts.Count);
            journal.Append(rows);
            var done = journal.Rows.Count;
            pace.Reach(done * partsPerPrompt);
            if (done * Notes / prompts.Count > noted)
                progress.Note(FormattableString.Invariant($"{title}: {done} of {Quantity.Of(prompts.Count, "prompt")}, {pace.Text}"));
            noted = done * Notes / prompts.Count;
        }
    }

    private async Task<IReadOnlyList<JsonObject>> UnlessStopped(
        Func<Task<IReadOnlyList<JsonObject>>> work, int total, CancellationToken stop)
    {
        try
        {
            stop.ThrowIfCancellationRequested();
            return await work().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            progress.Note($"{title}: stopped; {Kept(total)}");
            throw;
        }
        catch (EndpointException error)
        {
            throw new EndpointException($"{error.Message.TrimEnd('.')}. {title}: {Kept(total)}.", error) { Status = error.Status };
        }
        catch (UserErrorException error) when (journal.Rows.Count > 0)
        {
            throw new UserErrorException($"{error.Message.TrimEnd('.')}. {title}: {Kept(total)}.", error);
        }
    }

    private string Kept(int total) =>
        FormattableString.Invariant($"{journal.Rows.Count} of {total} prompts are kept, and the same command goes on from there");

    /// <summary>
    /// A prompt here and there may be too long; when all are refused from the start, the settings are to blame, and nothing is kept.
    /// </summary>
    private void GiveUpWhereNothingWorks(IReadOnlyList<JsonObject> rows, int total)
    {
        if (journal.Rows.Count >= Patience)
            return;
        var all = journal.Rows.Concat(rows).ToList();
        if (all.Count < Math.Min(Patience, total) || all.Exists(row => row["refusal"] is null))
            return;
        journal.Clear();
        throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
            $"{title}: none of the first {Quantity.Of(all.Count, "prompt")} could be completed: "
                + $"{all[0]["refusal"]!.GetValue<string>().TrimEnd('.')}."));
    }

    /// <summary>Counts parts from any thread, and knows rate and time left.</summary>
    private sealed class Pace(string title, string unit, int before, int total, ITrainingProgress progress, TimeProvider clock)
    {
        private readonly Lock gate = new();
        private readonly long start = clock.GetTimestamp();
        private readonly int first = before;
        private int done = before;

        public string Text
        {
            get
            {
                var rate = (done - first) / Math.Max(1e-3, clock.GetElapsedTime(start).TotalSeconds);
                return FormattableString.Invariant(
                    $"{rate:0.0} {unit}/s, {ProgressText.Time(TimeSpan.FromSeconds((total - done) / Math.Max(1e-3, rate)))} left");
            }
        }

        public void Finished()
        {
            lock (gate)
                Reach(done + 1);
        }

        public void Reach(int count)
        {
            lock (gate)
            {
                done = Math.Max(count, done);
                progress.Advance($"{title}, {Text}", done, total);
            }
        }
    }
}
