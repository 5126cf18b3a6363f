namespace Handbook.Autograd;

/// <summary>Whether the adapters of a model take part. While any pass holds them off, the model is the one that it was before.</summary>
public sealed class AdapterSwitch
{
    private int held;

    /// <summary>True when adapters take part.</summary>
    public bool IsOn => held == 0;

    /// <summary>Holds the adapters off until the result is disposed.</summary>
    public IDisposable Off() => new Hold(this);

    private sealed class Hold : IDisposable
    {
        private AdapterSwitch? owner;

        internal Hold(AdapterSwitch owner)
        {
            this.owner = owner;
            owner.held++;
        }

        public void Dispose()
        {
            if (owner is not null)
                owner.held--;
            owner = null;
        }
    }
}
